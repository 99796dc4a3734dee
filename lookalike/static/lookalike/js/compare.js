// <compare-slider>: wipes between two faces cut in the same way. Without this script both
// stand side by side. The range lies over the picture, so pointer, touch and keys all work.

class CompareSlider extends HTMLElement {
  connectedCallback() {
    if (this.range) return;
    this.them = this.querySelector(".compare-them");
    this.range = document.createElement("input");
    Object.assign(this.range, { type: "range", min: 0, max: 100, value: 50 });
    this.range.className = "compare-range";
    this.range.setAttribute("aria-label", this.dataset.label);
    this.range.addEventListener("input", () => this.wipe());
    const line = document.createElement("span");
    line.className = "compare-line";
    this.append(this.range, line);
    this.classList.add("is-live");
    this.wipe();
  }

  get names() {
    return [...this.querySelectorAll("figcaption")].map((caption) => caption.textContent);
  }

  wipe() {
    const [left, right] = this.names;
    const at = Number(this.range.value);
    this.style.setProperty("--at", `${at}%`);
    this.range.setAttribute("aria-valuetext", `${left} ${at} %, ${right} ${100 - at} %`);
  }

  // The face on the right.
  get other() {
    const picture = this.them.querySelector("img");
    const name = this.them.querySelector("figcaption").textContent;
    return { address: picture.src, name, alt: picture.alt };
  }

  // Puts another face on the right.
  face(address, name, alt) {
    const picture = this.them.querySelector("img");
    picture.src = address;
    picture.alt = alt;
    this.them.querySelector("figcaption").textContent = name;
    this.range.value = 50;
    this.wipe();
  }
}

customElements.define("compare-slider", CompareSlider);
