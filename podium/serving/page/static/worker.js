// The model, off the page's own thread: the page never freezes, whatever an image asks for.

import { refuse, tell } from "./answer.js";
import { decodeFile, readPixels } from "./decode.js";
import { fit } from "./fit.js";
import { BadImageError } from "./headers.js";
import * as ort from "./ort.js";

let about;
let session;

const TASKS = { load, frame, predict, stages };

self.onmessage = async ({ data: { id, task, given } }) => {
  try {
    self.postMessage({ id, result: await TASKS[task](given) });
  } catch (error) {
    self.postMessage({ id, failure: error.message });
  }
};

/** Load what onnxruntime-web needs, and the model. */
async function load(facts) {
  about = facts;
  let sum = 0;
  const onBytes = (count) => {
    sum += count;
    self.postMessage({ progress: Math.min(1, sum / about.files.bytes) });
  };
  const [runtime, model] = await Promise.all([get(about.files.runtime, onBytes), get(about.files.model, onBytes)]);
  ort.env.wasm.numThreads = 1; // more of them need headers that a plain file server does not send
  ort.env.wasm.wasmBinary = await inflate(runtime);
  session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  const { height, width, channels } = about.image;
  await ask({ pixels: new Uint8Array(height * width * channels), height, width, channels });
}

/** Answer about an image file, or say why not. */
async function predict(file) {
  try {
    const { decoded, fitted, heads } = await stages(file);
    const { fullWidth: width, fullHeight: height, preview } = decoded;
    return { fitted, width, height, preview, answer: tell(heads, decoded, about) };
  } catch (error) {
    if (error instanceof BadImageError) return { answer: refuse(error.message, about) };
    if (error instanceof RangeError) return { answer: refuse("there is not enough memory for it here", about) };
    throw error;
  }
}

/** Answer about a picture of the camera. */
async function frame(bitmap) {
  const image = readPixels(bitmap, 3);
  const { width, height } = image;
  const fitted = fit(image, about.image);
  const answer = tell(await ask(fitted), { fullWidth: width, fullHeight: height }, about);
  return { fitted, width, height, answer };
}

/** Give what an image file becomes on its way to the answer. */
async function stages(file) {
  const decoded = await decodeFile(file, about);
  const fitted = fit(decoded, about.image);
  return { decoded, fitted, heads: await ask(fitted) };
}

async function ask({ pixels, height, width, channels }) {
  const outputs = await session.run({ image: new ort.Tensor("uint8", pixels, [1, height, width, channels]) });
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.data]));
}

/** Fetch a file of this folder; onBytes hears of each part. */
async function get(name, onBytes) {
  const response = await fetch(new URL(name, self.location.href));
  if (!response.ok) throw new Error(`${name} is not there (HTTP ${response.status}): copy the whole folder`);
  const parts = [];
  let length = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    onBytes(value.length);
  }
  const whole = new Uint8Array(length);
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

/** Unpack gzip; a server may have done so already. */
async function inflate(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
