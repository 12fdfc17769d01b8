// The page's end of the line to worker.js, where the model runs.

/** Asks the worker, and gives its answers. */
export class Model {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #asked = 0;

  /** @param onProgress hears of the part that is loaded, 0 to 1 */
  constructor(onProgress) {
    this.#worker.onmessage = ({ data }) => {
      if ("progress" in data) return onProgress(data.progress);
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      return "failure" in data ? reject(new Error(data.failure)) : resolve(data.result);
    };
    this.#worker.onerror = (event) => {
      const failure = new Error(event.message || "worker.js cannot be loaded: copy the whole folder");
      for (const { reject } of this.#waiting.values()) reject(failure);
      this.#waiting.clear();
    };
  }

  load(about) {
    return this.#ask("load", about);
  }

  predict(file) {
    return this.#ask("predict", file);
  }

  stages(file) {
    return this.#ask("stages", file);
  }

  frame(bitmap) {
    return this.#ask("frame", bitmap, [bitmap]);
  }

  #ask(task, given, moved = []) {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task, given }, moved);
    });
  }
}
