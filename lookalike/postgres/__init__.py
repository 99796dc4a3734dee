"""Django's PostgreSQL backend, with limits to how long a statement may take.

`postgresql://` in DATABASE_URL means this one (`lookalike.environ.read_database`).
"""
