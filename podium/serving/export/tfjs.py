"""TensorFlow.js: `model.json` in the layers format, with its weights in shards of 4 MB.

Written here, as the official converter asks for packages that clash with podium's. The format is that of
`tf.loadLayersModel`; the shards that of https://github.com/tensorflow/tfjs, `io_utils.ts`.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from podium.serving.export.browser import open_tfjs
from podium.serving.export.source import Convertible
from podium.serving.export.target import File, Runtime, Target, UnfitError

SHARD_BYTES: Final = 1 << 22
"""4 MiB, so that a browser's cache keeps them."""

_SAME: Final = frozenset(
    {"BatchNormalization", "Concatenate", "Flatten", "MaxPooling2D", "ReLU", "Reshape", "Softmax"}
) | {
    *("Activation", "Add", "AveragePooling2D", "Conv2D", "Dense", "DepthwiseConv2D", "GlobalAveragePooling2D"),
    *("GlobalMaxPooling2D", "InputLayer", "ZeroPadding2D"),
}
"""Layers that TensorFlow.js has, too."""
_PASSED_BY: Final = frozenset({"Cast", "Dropout", "GaussianNoise", "SpatialDropout2D", "StopGradient"})
"""What changes nothing where nobody trains: TensorFlow.js gets floats to begin with."""
_ONLY_KERAS: Final = ("_initializer", "_regularizer", "_constraint")
"""Endings of what a layer says of its training."""
_WEIGHTS: Final = {"DepthwiseConv2D": {"kernel": "depthwise_kernel"}}
"""Weights with another name there."""

Layer = dict[str, Any]


def write_tfjs(source: Convertible, path: Path) -> None:
    """Write a model for `tf.loadLayersModel`.

    The input is float32, 0–255, of the size that the file's `userDefinedMetadata` names as `image`. If that names a
    `resize`, [height, width], the caller brings the pixels there with
    `tf.image.resizeBilinear(pixels, resize, false, true)`: TensorFlow.js's own layer for that computes otherwise.

    Args:
        source: the model.
        path: the `model.json`; the shards come beside it.

    Raises:
        UnfitError: TensorFlow.js has no such layer.
    """
    from podium.models.portable import unfold

    writer = _Writer(unfold(source.trained))
    shards = _write_shards(writer.weights, path.parent)
    manifest = [
        {"name": name, "shape": list(weight.shape), "dtype": "float32"} for name, weight in writer.weights.items()
    ]
    content = {
        "format": "layers-model",
        "generatedBy": f"keras v{version('keras')}",
        "convertedBy": "podium",
        "modelTopology": {
            "keras_version": version("keras"),
            "backend": "tensorflow",
            "model_config": {"class_name": "Functional", "config": writer.topology},
        },
        "weightsManifest": [{"paths": shards, "weights": manifest}],
        "userDefinedMetadata": {"image": list(source.trained.input_shape[1:]), "resize": writer.resize},
    }
    path.write_text(json.dumps(content), encoding="utf-8")


class _Writer:
    """A flat model in the words of TensorFlow.js.

    Attributes:
        topology: the config of the model.
        weights: by their names there, in order.
        resize: height and width that the first layer takes, if they are not those of the image.
    """

    def __init__(self, flat: Any) -> None:
        self._flat, config = flat, flat.get_config()
        self._stands_for: dict[str, str] = {}  # what is passed by, by the layer before it
        self._kinds = {layer["config"]["name"]: layer["class_name"] for layer in config["layers"]}
        self.weights: dict[str, NDArray[np.float32]] = {}
        self.resize: list[int] | None = None
        self._layers: list[Layer] = []
        for layer in config["layers"]:
            self._add(layer)
        outputs = config["output_layers"]
        self.topology = {
            "name": flat.name,
            "layers": self._layers,
            "input_layers": [config["input_layers"]],
            "output_layers": [[name, 0, 0] for name, _, _ in outputs.values()],
        }

    def _add(self, layer: Layer) -> None:
        kind, config = layer["class_name"], dict(layer["config"])
        name = str(config["name"])
        sources = _sources(layer)
        is_function = ".ops." in layer.get("module", "")  # keras.ops.reshape is named as the layer is
        if kind in _PASSED_BY:
            self._stands_for[name] = self._real(sources[0])
        elif kind == "Resizing":
            self._resize(name, config, sources[0])
        elif kind == "Rescaling":
            self._scale(name, config, sources)
        elif kind == "Flip":
            self._flip(name, config, sources)
        elif kind in _SAME and not is_function:
            self._take(kind, name, _plain(config), sources)
            own = _WEIGHTS.get(kind, {})
            if kind != "InputLayer":
                for weight in self._flat.get_layer(name).weights:
                    self.weights[f"{name}/{own.get(weight.name, weight.name)}"] = weight.numpy().astype(np.float32)
        else:
            raise UnfitError(f"TensorFlow.js has no layer for '{name}' ({kind})")

    def _take(self, kind: str, name: str, config: Mapping[str, Any], sources: list[str]) -> None:
        if kind == "InputLayer":
            shape = config["batch_shape"]
            config = {"batch_input_shape": list(shape), "dtype": "float32", "sparse": False, "name": name}
        inbound = [[[self._real(one), 0, 0, {}] for one in sources]] if sources else []
        self._layers.append({"class_name": kind, "name": name, "config": dict(config), "inbound_nodes": inbound})

    def _real(self, name: str) -> str:
        """Give the layer whose output that is, there."""
        return self._stands_for.get(name, name)

    def _resize(self, name: str, config: Layer, source: str) -> None:
        if config["interpolation"] != "bilinear" or config.get("antialias"):
            how = "with antialias" if config.get("antialias") else config["interpolation"]
            raise UnfitError(f"TensorFlow.js resizes bilinear, and '{name}' (Resizing) {how}")
        entrance = self._real(source)
        if self._kinds[entrance] != "InputLayer":
            raise UnfitError(f"TensorFlow.js resizes before the first layer alone, and '{name}' (Resizing) comes later")
        self.resize = [config["height"], config["width"]]
        shape = self._layers[0]["config"]["batch_input_shape"]
        self._layers[0]["config"]["batch_input_shape"] = [None, *self.resize, shape[-1]]
        self._stands_for[name] = entrance

    def _scale(self, name: str, config: Layer, sources: list[str]) -> None:
        """Scale each channel: TensorFlow.js's own layer knows one number for all, a 1 × 1 convolution any."""
        channels = self._flat.get_layer(name).output.shape[-1]
        scale, offset = (np.broadcast_to(np.float32(config[key]), channels) for key in ("scale", "offset"))
        self._convolve(name, np.diag(scale), offset, sources)

    def _flip(self, name: str, config: Layer, sources: list[str]) -> None:
        """Turn the channels' order round."""
        tensor = next(one for one in self._flat.operations if one.name == name).output
        if config["axis"] not in (-1, len(tensor.shape) - 1):
            raise UnfitError(f"TensorFlow.js has no layer for '{name}' (Flip) of anything but channels")
        channels = tensor.shape[-1]
        self._convolve(name, np.eye(channels)[::-1], np.zeros(channels), sources)

    def _convolve(self, name: str, kernel: NDArray[Any], bias: NDArray[Any], sources: list[str]) -> None:
        config = {"name": name, "filters": len(bias), "kernel_size": [1, 1], "padding": "valid", "use_bias": True}
        self._take("Conv2D", name, config, sources)
        self.weights[f"{name}/kernel"] = kernel[np.newaxis, np.newaxis].astype(np.float32)
        self.weights[f"{name}/bias"] = bias.astype(np.float32)


def _sources(layer: Layer) -> list[str]:
    """Name the layers that a layer takes from, in order."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, Mapping):
            if value.get("class_name") == "__keras_tensor__":
                found.append(str(value["config"]["keras_history"][0]))
            else:
                for one in value.values():
                    look(one)
        elif isinstance(value, list | tuple):
            for one in value:
                look(one)

    look(layer["inbound_nodes"])
    return found


def _plain(config: Layer) -> Layer:
    """Give a layer's config without what only Keras 3 or a training knows."""
    kept = {key: value for key, value in config.items() if not key.endswith(_ONLY_KERAS)}
    return {key: value for key, value in kept.items() if key not in ("quantization_config", "dtype")} | {
        "dtype": "float32"
    }


def _write_shards(weights: Mapping[str, NDArray[np.float32]], folder: Path) -> list[str]:
    data = b"".join(weight.tobytes() for weight in weights.values())
    count = max(1, -(-len(data) // SHARD_BYTES))
    names = [f"group1-shard{number}of{count}.bin" for number in range(1, count + 1)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(data[number * SHARD_BYTES : (number + 1) * SHARD_BYTES])
    return names


TARGET = Target(
    what="model.json with shards, for TensorFlow.js",
    how="""```js
const model = await tf.loadLayersModel("model.json");
const {resize} = model.getUserDefinedMetadata();
let image = tf.browser.fromPixels(canvas, CHANNELS).toFloat().expandDims();  // of the model's size, HEIGHT × WIDTH
if (resize) image = tf.image.resizeBilinear(image, resize, false, true);
const heads = [model.predict(image)].flat();
const probabilities = await heads[model.outputNames.indexOf("label")].data();
```

The words `false, true` of `resizeBilinear` matter: by default it computes other pixels than those of the training.""",
    files=(File("model.json", write_tfjs, (Runtime("TensorFlow.js", open_tfjs, is_slow=True),)),),
)
