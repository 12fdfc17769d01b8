// Image files decoded by the browser, as podium/images/decoding.py decodes them: upright, transparency on white, gray as
// Pillow makes it, and a JPEG that is far larger than the model's images reduced first, by the same halves.

import { reduce } from "./fit.js";
import { BadImageError, checkEnd, readHeader } from "./headers.js";

const SHOWN_PIXELS = 1 << 22; // a larger image is shown smaller: the page would decode it once more
const SHOWN_SIDE = 1280;
const STRIP_PIXELS = 1 << 22; // read from the canvas at once
const AS_STORED = { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" };
const FROM_RIGHT = [2, 3, 6, 7]; // orientations whose first stored pixel is at the right, upright
const FROM_BOTTOM = [3, 4, 7, 8];

let drawing;

/**
 * Decode an image file.
 *
 * @returns {pixels, width, height, channels}, of the model's channels; fullWidth and fullHeight: the image's own size; and
 *   of a large one preview: a file to show
 */
export async function decodeFile(file, about) {
  if (file.size > about.limits.bytes) {
    throw new BadImageError(`the file has ${comma(file.size)} bytes, over ${comma(about.limits.bytes)}`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const header = readHeader(bytes);
  if (header.width * header.height > about.limits.pixels) {
    const size = `${header.width} × ${header.height}`;
    throw new BadImageError(`it has ${size} pixels, over ${comma(about.limits.pixels)}`);
  }
  checkEnd(bytes, header.kind);
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes], { type: header.type }), AS_STORED);
  } catch {
    throw new BadImageError(`the image cannot be decoded: this browser cannot read this ${header.kind}`);
  }
  const full = { fullWidth: bitmap.width, fullHeight: bitmap.height, preview: await shrink(bitmap) };
  const image = readPixels(bitmap, about.image.channels);
  const scale = header.kind === "JPEG" ? reductionOf(image, about.image) : 1;
  if (scale === 1) return { ...image, ...full };
  const begins = {
    right: FROM_RIGHT.includes(header.orientation),
    bottom: FROM_BOTTOM.includes(header.orientation),
  };
  return { ...reduce(image, scale, begins), ...full };
}

async function shrink(bitmap) {
  if (bitmap.width * bitmap.height <= SHOWN_PIXELS) return undefined;
  const scale = SHOWN_SIDE / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, width, height);
  return canvas.convertToBlob();
}

/** Give a bitmap's pixels, in gray or in red, green and blue; the bitmap is closed. */
export function readPixels(bitmap, channels) {
  const { width, height } = bitmap;
  const pixels = new Uint8Array(width * height * channels);
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
  const context = contextOf(width, rows);
  for (let top = 0; top < height; top += rows) {
    const some = Math.min(rows, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, top, width, some, 0, 0, width, some);
    const strip = context.getImageData(0, 0, width, some).data;
    (channels === 1 ? putGray : putColour)(strip, pixels, top * width * channels);
  }
  bitmap.close();
  return { pixels, width, height, channels };
}

/** Give a canvas to draw on; of the camera's pictures, always the same. */
function contextOf(width, height) {
  if (drawing?.canvas.width !== width || drawing.canvas.height !== height) {
    drawing = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  }
  return drawing;
}

function reductionOf(image, size) {
  const scale = Math.min(Math.floor(image.width / size.width), Math.floor(image.height / size.height), 8);
  return scale < 2 ? 1 : 2 ** Math.floor(Math.log2(scale));
}

function putColour(from, to, start) {
  for (let at = 0, into = start; at < from.length; at += 4, into += 3) {
    const alpha = from[at + 3];
    to[into] = onWhite(from[at], alpha);
    to[into + 1] = onWhite(from[at + 1], alpha);
    to[into + 2] = onWhite(from[at + 2], alpha);
  }
}

function putGray(from, to, start) {
  for (let at = 0, into = start; at < from.length; at += 4, into++) {
    const alpha = from[at + 3];
    const red = onWhite(from[at], alpha);
    const green = onWhite(from[at + 1], alpha);
    const blue = onWhite(from[at + 2], alpha);
    to[into] = (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16;
  }
}

/** Lay a value on white: Pillow's alpha_composite, in its whole numbers. */
function onWhite(value, alpha) {
  if (alpha === 255) return value;
  const share = alpha * 128; // of 255 * 128
  const mixed = value * share + 255 * (255 * 128 - share) + (0x80 << 7);
  return ((mixed >> 8) + mixed) >> 15;
}

function comma(number) {
  return number.toLocaleString("en");
}
