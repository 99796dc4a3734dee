#!/usr/bin/env python3
"""Django's command line for this project."""

import errno
import os
import sqlite3
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from lookalike.environ import BadSetting
from lookalike.faces.errors import FacesError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")
    try:
        execute_from_command_line(sys.argv)
    except (BadSetting, FacesError, ImproperlyConfigured) as problem:
        sys.exit(str(problem))
    except (OperationalError, sqlite3.OperationalError) as problem:
        sys.exit(f"The database cannot be used: {str(problem).strip()}.")
    except OSError as problem:
        if problem.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}:
            raise
        sys.exit(f"{problem.filename or 'The data folder'} cannot be written: {problem.strerror}.")
    except KeyboardInterrupt:
        sys.exit(130)
