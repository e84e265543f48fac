"use strict";
const form = document.querySelector("form"), answer = document.querySelector("#answer");

function row() {
  const cells = {};
  for (const field of form.querySelectorAll("[name]")) {
    const text = field.value.trim(), number = Number(text);
    const isNumber = field.dataset.kind === "number" && text !== "" && Number.isFinite(number);
    cells[field.name] = text === "" ? null : isNumber ? number : text;
  }
  return cells;
}

function line(text, kind) {
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  if (kind) paragraph.className = kind;
  return paragraph;
}

function bars(probabilities) {
  const list = document.createElement("dl");
  list.className = "shares";
  for (const [label, share] of Object.entries(probabilities).sort((a, b) => b[1] - a[1]).slice(0, 20)) {
    const name = document.createElement("dt"), value = document.createElement("dd"), bar = document.createElement("meter");
    name.textContent = label;
    bar.value = share;
    bar.setAttribute("aria-label", "probability of " + label);
    value.append(bar, " " + (100 * share).toFixed(1) + " %");
    list.append(name, value);
  }
  return list;
}

function shown(status, content) {
  if (status !== 200) {
    const { problem, expected, fix } = content.error;
    return [line(problem, "problem"), ...(expected ? [line("expected: " + expected)] : []),
            ...(fix ? [line("to mend it: " + fix)] : [])];
  }
  const { prediction, probabilities } = content.predictions[0];
  return [line(content.target + ": " + prediction, "result"), ...(probabilities ? [bars(probabilities)] : []),
          ...content.notes.map(note => line(note))];
}

form?.addEventListener("submit", async event => {
  event.preventDefault();
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  try {
    const response = await fetch("predict", { method: "POST", headers, body: JSON.stringify(row()) });
    answer.replaceChildren(...shown(response.status, await response.json()));
  } catch (error) {
    answer.replaceChildren(line("the server did not answer: " + error.message, "problem"));
  }
});
