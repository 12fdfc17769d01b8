// The page: a model that looks at the camera or at image files, in this browser.

import { Camera } from "./camera.js";
import { Model } from "./model.js";
import { notify, show, showAnswer, showFile, showSpeed, wait } from "./view.js";

const $ = (id) => document.getElementById(id);

let asked = 0; // images that were given; only the newest is shown
let loaded = false;

// Before the first "await": messages wait for a listener until the document is read, and no longer.
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data !== "newer") return;
  if (loaded || asked) notify("A newer version of this model is here: reload the page to use it.");
  else location.reload(); // what is still to come would be of the newer version, and what is here is not
});

const about = await getAbout();
const camera = new Camera($("video"));
const model = new Model((part) => ($("progress").firstElementChild.value = part));

/** For other programs on this page, and for tests: a promise of the answer, and of what leads to it. */
const ready = model.load(about);
window.podium = {
  about,
  ready,
  predict: async (blob) => (await ready, (await model.predict(blob)).answer),
  stages: async (blob) => (await ready, model.stages(blob)),
};

async function getAbout() {
  try {
    const response = await fetch("about.json");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.json();
  } catch (error) {
    notify(`about.json is not there (${error.message}): copy the whole folder.`);
    $("progress").hidden = true;
    throw error;
  }
}

async function look(file) {
  const mine = ++asked;
  stopCamera();
  notify("");
  wait();
  try {
    await ready;
    const found = await model.predict(file);
    if (mine !== asked) return;
    if (!found.answer.error) showFile(found.preview ?? file, file.name); // not before: one that is refused may be too large to be shown
    showAnswer(found, about, false);
  } catch (error) {
    if (mine === asked) notify(`There is no answer about this image: ${error.message}`);
  }
}

async function startCamera(begin) {
  asked++;
  notify("");
  try {
    await begin();
    if (!camera.isOn) return;
    show("video");
    $("stage").classList.toggle("mirrored", camera.isMirror);
    $("camera").textContent = "Stop camera";
    $("turn").hidden = !(await camera.hasAnother());
    await camera.watch(async (bitmap) => {
      const found = await model.frame(bitmap);
      if (camera.isOn) showAnswer(found, about, true);
    }, showSpeed);
  } catch (error) {
    stopCamera();
    notify(error.message);
  }
}

function stopCamera() {
  camera.stop();
  $("camera").textContent = "Start camera";
  $("turn").hidden = true;
  $("stage").classList.remove("mirrored");
  show("");
}

function firstImage(items) {
  const files = [...(items ?? [])].filter((item) => item.kind === "file").map((item) => item.getAsFile());
  return files.find((file) => file?.type.startsWith("image/")) ?? files[0];
}

$("camera").addEventListener("click", () => (camera.isOn ? stopCamera() : startCamera(() => camera.start())));
$("turn").addEventListener("click", () => startCamera(() => camera.turn()));
$("video").addEventListener("unplugged", () => {
  stopCamera();
  notify("The camera is gone. Plug it in, or choose an image file.");
});
$("file").addEventListener("change", ({ target }) => {
  if (target.files[0]) look(target.files[0]);
  target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", (event) => {
  const file = firstImage(event.clipboardData?.items);
  if (file) look(file);
  else notify("There is no image on the clipboard: copy one, not its address.");
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  $("stage").classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("stage").classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("stage").classList.remove("dropping");
  const file = firstImage(event.dataTransfer?.items);
  if (file) look(file);
  else notify("That was no file. Drop an image file from this device.");
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden && camera.isOn) stopCamera(); // nobody looks
});

try {
  await ready;
  loaded = true;
  $("camera").disabled = false;
  $("known").hidden = !$("answer").hidden;
} catch (error) {
  notify(`The model cannot be loaded: ${error.message}.`);
} finally {
  $("progress").hidden = true;
}

navigator.serviceWorker?.register("sw.js").catch((error) => console.warn("not offline:", error.message));
