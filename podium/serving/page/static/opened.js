// Said before anything else, and without modules: where the rest of the page cannot run.
"use strict";

function whyNot() {
  if (location.protocol === "file:") {
    return (
      "This page was opened as a file, and browsers let no file load others. Type “python -m http.server 8000” in its " +
      "folder, and open http://localhost:8000."
    );
  }
  const needed = ["OffscreenCanvas", "DecompressionStream", "WebAssembly", "createImageBitmap"];
  const missing = needed.filter((name) => !(name in window));
  if (!missing.length) return "";
  return `This browser is too old for the page: it lacks ${missing.join(", ")}. Any that is newer than 2023 will do.`;
}

if (whyNot()) {
  const notice = document.querySelector("#notice");
  notice.textContent = whyNot();
  notice.hidden = false;
  document.querySelector("#progress").hidden = true;
}
