"""A page that runs a model in the browser: a folder for any file server, that needs no network beyond it.

`write_page` writes it: the files in `static`, the model as ONNX, and onnxruntime-web, which runs it.
"""

from podium.serving.page.facts import PageFacts, Score, describe
from podium.serving.page.writing import write_page

__all__ = ["PageFacts", "Score", "describe", "write_page"]
