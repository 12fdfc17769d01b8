import subprocess
import sys

from podium.garbage import NEW_OBJECTS

PROGRAM = """
import weakref
from podium.garbage import collect_seldom

class Knot:
    def __init__(self):
        self.itself = self

collect_seldom()
knots = [weakref.ref(Knot()) for _ in range(100_000)]
print(sum(knot() is not None for knot in knots))

class Last(Knot):
    def __del__(self):
        print("looked for at the end")

Last()
"""


def test_garbage_goes_while_a_process_works_and_its_end_does_not_look_for_any() -> None:
    left, *rest = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True).stdout.splitlines()
    assert 0 < int(left) <= NEW_OBJECTS
    assert not rest
