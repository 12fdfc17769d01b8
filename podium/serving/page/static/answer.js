// What the model's outputs mean: the same answer that every other way to ask gives (podium/tracking/classifier.py).

import { moveBack, placement } from "./fit.js";

/** Make the answer {label, probability, unsure, probabilities, error} and, of a model that knows boxes, box. */
export function tell(heads, image, about) {
  const probabilities = [...heads.label];
  const best = probabilities.indexOf(Math.max(...probabilities));
  const answer = {
    label: about.classes[best],
    probability: probabilities[best],
    unsure: about.threshold === null ? null : probabilities[best] < about.threshold,
    probabilities: Object.fromEntries(about.classes.map((name, at) => [name, probabilities[at]])),
    error: "",
  };
  if (about.boxes) {
    const at = placement(image.fullWidth, image.fullHeight, about.image);
    answer.box = moveBack(heads.box, at, about.image, image.fullWidth, image.fullHeight);
  }
  return answer;
}

/** Make the answer about an image that cannot be used. */
export function refuse(reason, about) {
  const nothing = { label: null, probability: null, unsure: null, probabilities: null };
  return { ...nothing, error: reason, ...(about.boxes ? { box: null } : {}) };
}
