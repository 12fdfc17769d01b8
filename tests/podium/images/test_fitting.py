import numpy as np
import pytest

from podium.config.datasets import Image
from podium.images.fitting import Placement


@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (31, 17), (50, 50)])
def test_a_box_comes_back_to_where_it_was_in_the_image(resize: str, width: int, height: int) -> None:
    image = Image(height=40, width=50, channels=3, resize=resize)
    place = Placement.of(width, height, image)
    middle = (width * 0.4, height * 0.45, width * 0.2, height * 0.1)
    left, top, across, down = place.move(middle, image)
    back = place.move_back(np.array([left, top, left + across, top + down]))
    expected = (middle[0], middle[1], middle[0] + middle[2], middle[1] + middle[3])
    np.testing.assert_allclose(back, expected, rtol=1e-9)
