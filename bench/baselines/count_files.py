"""The usual way to see what is in a zip: its list of names, counted by folder and ending."""

import sys
import zipfile
from collections import Counter
from pathlib import PurePosixPath

with zipfile.ZipFile(sys.argv[1]) as archive:
    names = [PurePosixPath(name) for name in archive.namelist()]
print(Counter((name.parent, name.suffix) for name in names).most_common(20))
