"""A stand-in for onnxruntime-web, where no browser runs it."""

from pathlib import Path

import pytest


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir()
    (folder / "ort.wasm.bundle.min.mjs").write_text("export {};\n")
    (folder / "ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm" + bytes(1000))
    (folder / "LICENSE-onnxruntime-web.txt").write_text("MIT\n")
    return folder
