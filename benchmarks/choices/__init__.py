"""How the engine's constants are chosen: by cross-validation over people, on many variants of each
portrait, with the spread stated. `make choices` measures, prints and writes docs/likeness.md."""
