"use strict";
const cases = [...document.querySelectorAll("fieldset[data-line]")];
const lines = document.querySelector("#lines");
const key = `podium ${document.title} ${lines.dataset.run}`;
const checked = one => one.querySelector("input:checked");
const quote = text => /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

// The browser may refuse to keep anything, in a frame for one.
const keep = task => { try { return task(); } catch { return null; } };

function line(one) {
  const answer = checked(one), label = one.dataset.label;
  if (!answer || answer.value === label) return [];
  const says = answer.dataset.says ?? `a person says ${answer.value}`;
  return [one.dataset.line + quote(`the label is ${label}, ${says}`)];
}

function update() {
  const done = cases.filter(checked), wrong = cases.flatMap(line);
  document.querySelector("#done").textContent = `${done.length} of ${cases.length} looked at`;
  document.querySelector("#wrong").textContent = `${wrong.length} to be left out`;
  lines.value = [lines.dataset.columns, ...wrong].join("\n") + "\n";
  const answers = cases.map(one => checked(one)?.id ?? "");
  keep(() => localStorage.setItem(key, JSON.stringify(answers)));
}

function choose(event) {
  const one = event.target.closest?.("fieldset[data-line]") ?? cases.find(some => !checked(some));
  if (!one || !/^[1-9]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
  const input = one.querySelectorAll("input")[event.key - 1];
  if (!input) return;
  event.preventDefault();
  input.checked = true;
  const next = cases[cases.indexOf(one) + 1] ?? one;
  (checked(next) ?? next.querySelector("input")).focus();
  next.scrollIntoView({block: "center"});
  update();
}

for (const id of keep(() => JSON.parse(localStorage.getItem(key))) ?? []) {
  const input = id && document.getElementById(id);
  if (input) input.checked = true;
}
document.addEventListener("change", update);
document.addEventListener("keydown", choose);
document.querySelector("#download").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.value], {type: "text/csv"}));
  link.download = lines.dataset.file;
  link.click();
  URL.revokeObjectURL(link.href);
});
document.querySelector("#answers").hidden = false;
update();
