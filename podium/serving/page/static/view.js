// What the page shows of an answer.

import { placement } from "./fit.js";

const SHOWN = 5; // classes
const LONG = 14; // letters
const TINY = 100; // pixels: a smaller image is shown with its pixels as squares
const SPEAK_SECONDS = 1.5;

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

let said = { text: "", at: 0 };

/** Show that something went wrong, or nothing. */
export function notify(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

/** Show an image in the stage: "video", "image" or neither. */
export function show(which) {
  $("video").hidden = which !== "video";
  $("image").hidden = which !== "image";
  $("stage").classList.toggle("empty", !which);
  $("speed").hidden = true;
  $("overlay").replaceChildren();
}

/** Show an image file. */
export function showFile(file, name) {
  const image = $("image");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.alt = name || "The image that was given";
  image.onload = () => image.classList.toggle("tiny", Math.max(image.naturalWidth, image.naturalHeight) < TINY);
  image.onerror = () => show("");
  show("image");
}

/** Show that the answer that is there is of an older image. */
export function wait() {
  $("answer").classList.add("waiting");
}

/** Show how fast it goes. */
export function showSpeed(framesPerSecond) {
  $("speed").hidden = false;
  $("speed").textContent = `${framesPerSecond.toFixed(framesPerSecond < 9.95 ? 1 : 0)} frames per second`;
}

/** Show an answer about an image of width × height pixels, and what the model saw of it. */
export function showAnswer({ answer, fitted, width, height }, about, isLive) {
  const area = $("answer");
  area.hidden = false;
  area.classList.remove("waiting");
  $("known").hidden = true;
  area.classList.toggle("refused", Boolean(answer.error));
  area.classList.toggle("unsure", Boolean(answer.unsure));
  $("kicker").textContent = answer.error ? "This image cannot be used" : "Most likely";
  if (answer.error) {
    setText($("label"), capitalize(answer.error));
    $("overlay").replaceChildren();
    return speak($("label").textContent, isLive);
  }
  setText($("label"), answer.label);
  $("label").classList.toggle("long", answer.label.length > LONG);
  const surety = `${percent(answer.probability)} sure`;
  setText($("remark"), answer.unsure ? `Unsure: ${surety}, below ${percent(about.threshold)}` : surety);
  showBars(answer.probabilities, about.classes);
  showPixels(fitted);
  showBox(answer.box, width, height, about);
  return speak(`${answer.unsure ? "Unsure, perhaps" : ""} ${answer.label}, ${surety}`.trim(), isLive);
}

function showBars(probabilities, classes) {
  const best = [...classes].sort((one, other) => probabilities[other] - probabilities[one]);
  const bars = $("bars");
  const shown = best.slice(0, SHOWN);
  while (bars.children.length < shown.length) bars.append(newBar());
  shown.forEach((name, at) => {
    const [label, value, track] = bars.children[at].children;
    setText(label, name);
    setText(value, percent(probabilities[name]));
    track.firstChild.style.transform = `scaleX(${probabilities[name]})`;
  });
  const rest = classes.length - shown.length;
  $("rest").hidden = rest <= 0;
  const sum = shown.reduce((left, name) => left - probabilities[name], 1);
  setText($("rest"), `${rest.toLocaleString("en")} other ${rest === 1 ? "class" : "classes"}: ${percent(Math.max(0, sum))}`);
}

function newBar() {
  const bar = document.createElement("li");
  const track = document.createElement("span");
  track.className = "track";
  track.setAttribute("aria-hidden", "true");
  track.append(document.createElement("span"));
  bar.append(document.createElement("span"), document.createElement("span"), track);
  return bar;
}

function showPixels({ pixels, width, height, channels }) {
  const canvas = $("seen").querySelector("canvas");
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const data = new ImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 4) {
    data.data[to] = pixels[from];
    data.data[to + 1] = pixels[from + (channels === 3 ? 1 : 0)];
    data.data[to + 2] = pixels[from + (channels === 3 ? 2 : 0)];
    data.data[to + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
}

/** Draw the box, and a shade over what the model does not see. */
function showBox(box, width, height, about) {
  const overlay = $("overlay");
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const at = placement(width, height, about.image);
  const shapes = [];
  const right = at.fromLeft + at.fromWidth;
  const bottom = at.fromTop + at.fromHeight;
  if (at.fromWidth < width || at.fromHeight < height) {
    const whole = `M0 0H${width}V${height}H0Z`;
    const part = `M${at.fromLeft} ${at.fromTop}V${bottom}H${right}V${at.fromTop}Z`;
    shapes.push(newShape("path", { class: "outside", d: whole + part }));
  }
  if (box) {
    const [left, top, right, bottom] = box;
    const size = { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
    shapes.push(newShape("rect", { class: "halo", ...size }), newShape("rect", { class: "box", ...size }));
  }
  overlay.replaceChildren(...shapes);
}

function newShape(name, attributes) {
  const shape = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  return shape;
}

/** Have a screen reader say it; of the camera, only what is new, and not all the time. */
function speak(text, isLive) {
  const now = performance.now() / 1000;
  const isSame = said.text.split(",")[0] === text.split(",")[0];
  if (isLive && (isSame || now - said.at < SPEAK_SECONDS)) return;
  said = { text, at: now };
  $("spoken").textContent = text;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function capitalize(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Write a probability; never as certain when it is not. */
export function percent(share) {
  const text = (100 * share).toFixed(1);
  if (text === "100.0") return ">99.9%";
  return text === "0.0" ? "<0.1%" : `${text}%`;
}
