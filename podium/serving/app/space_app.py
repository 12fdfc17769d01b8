"""An image classifier with its page. It needs the folder `model` beside it, and what requirements.txt names."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import gradio as gr
import mlflow.pyfunc
from gradio.data_classes import ImageData
from PIL import Image, ImageOps

HERE = Path(__file__).parent
MAX_BYTES = 64 * 2**20
TOP = 5

model = mlflow.pyfunc.load_model(str(HERE / "model"))
has_boxes = "box" in model.metadata.signature.outputs.input_names()
examples = [str(path) for path in sorted((HERE / "examples").glob("*.png"))]


def hand_over(payload: ImageData | None) -> str | None:
    """Give the path of an uploaded file as it came: the model's own decoder reads it, or says why not."""
    return None if payload is None else payload.path


def predict(path: str | None) -> tuple[Any, str, Any]:
    """Answer about an image file: the classes, a sentence, and the image with its box."""
    if not path:
        return None, "", None
    with Path(path).open("rb") as file:
        (answer,) = model.predict({"image": [file.read(MAX_BYTES + 1)]})
    if answer["error"]:
        return None, f"This image cannot be used: {answer['error']}.", None
    words = f"{answer['label']}: {answer['probability']:.1%}"
    if answer["unsure"]:
        words = f"Unsure. {words} is too little to rely on."
    if not has_boxes:
        return answer["probabilities"], words, None
    upright = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    box = tuple(round(edge) for edge in answer["box"])
    return answer["probabilities"], words, (upright, [(box, answer["label"])])


with gr.Blocks(title=HERE.resolve().name, analytics_enabled=False, delete_cache=(600, 3600)) as page:
    with gr.Row():
        with gr.Column():
            picture = gr.Image(sources=["upload", "clipboard", "webcam"], type="filepath", label="Image", buttons=[])
            picture.preprocess = hand_over  # type: ignore[method-assign]
            gr.Examples(examples, picture, label="Examples", cache_examples=False)
        with gr.Column():
            words = gr.Textbox(label="Answer", interactive=False)
            classes = gr.Label(num_top_classes=TOP, label="Classes")
            boxed = gr.AnnotatedImage(label="Where", visible=has_boxes, buttons=["fullscreen"])
    picture.change(predict, picture, [classes, words, boxed], api_name="predict")
page.queue(max_size=32, default_concurrency_limit=2)

if __name__ == "__main__":
    theme = gr.themes.Base(font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"))
    page.launch(max_file_size=MAX_BYTES, footer_links=[], theme=theme, run_history=False)
