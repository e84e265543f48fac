"use strict";
// What the pages share: words in two languages, sliders, and charts of SVG.
const part = id => document.getElementById(id);
let language = new URLSearchParams(location.search).get("lang") || location.hash.slice(1);
if (!(language in WORDS)) language = "en";

function say(key, values = {}) {
  if (!(key in WORDS[language])) throw new Error(`no words for ${key}`);
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const escaped = text => String(text).replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`);
const shown = number => number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2);
const percent = share => `${Math.round(100 * share)} %`;

// sliders: [{name, values, start, format}]; each change draws anew.
function begin(sliders, draw) {
  const chosen = {};
  part("controls").innerHTML = sliders.map(({name, values, start}) => `<div class="control">
    <label for="${name}"><span data-word="${name}"></span><output for="${name}" id="${name}-value"></output></label>
    <input type="range" id="${name}" min="0" max="${values.length - 1}" step="1" value="${values.indexOf(start)}"></div>`).join("");
  const update = () => {
    for (const {name, values, format} of sliders) {
      const slider = part(name), value = values[slider.value], text = format ? format(value) : String(value);
      chosen[name] = value;
      part(`${name}-value`).textContent = text;
      slider.setAttribute("aria-valuetext", text);
    }
    draw(chosen);
  };
  const translate = () => {
    document.documentElement.lang = language;
    document.title = say("title");
    for (const element of document.querySelectorAll("[data-word]")) element.innerHTML = say(element.dataset.word);
    for (const button of document.querySelectorAll("[data-language]"))
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    update();
  };
  for (const button of document.querySelectorAll("[data-language]"))
    button.addEventListener("click", () => { language = button.dataset.language; translate(); });
  for (const {name} of sliders) part(name).addEventListener("input", update);
  for (const button of document.querySelectorAll("[data-set]"))
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries(JSON.parse(button.dataset.set)))
        part(name).value = sliders.find(slider => slider.name === name).values.indexOf(value);
      update();
    });
  translate();
}

// A chart: places on it, its frame with ticks, and its marks as text of SVG.
class Chart {
  constructor({x, y, xTicks, yTicks, xLabel, yLabel, xLog = false, yLog = false, width = 480, height = 330}) {
    Object.assign(this, {x, y, xTicks, yTicks, xLabel, yLabel, width, height});
    this.left = 46; this.right = width - 12; this.top = 14; this.bottom = height - 46;
    this.scaleX = xLog ? Math.log : Number; this.scaleY = yLog ? Math.log : Number;
    this.marks = [];
  }
  px(value) {
    const [low, high] = this.x.map(this.scaleX);
    return this.left + (this.scaleX(value) - low) / (high - low) * (this.right - this.left);
  }
  py(value) {
    const [low, high] = this.y.map(this.scaleY), inside = Math.min(Math.max(value, this.y[0]), this.y[1] * 1.5 + 1);
    return this.bottom - (this.scaleY(inside) - low) / (high - low) * (this.bottom - this.top);
  }
  path(points) { return points.map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(1)} ${this.py(y).toFixed(1)}`).join(""); }
  curve(points, color, extra = "") {
    this.marks.push(`<path class="curve ${extra}" stroke="var(--${color})" d="${this.path(points)}"/>`);
  }
  band(points, color) {
    const low = points.map(([x, from]) => [x, from]), high = points.map(([x, , to]) => [x, to]).reverse();
    this.marks.push(`<path class="band" fill="var(--${color})" d="${this.path(low)}${this.path(high).replace("M", "L")}Z"/>`);
  }
  dot(x, y, color, {size = 5, hollow = false, stroke = "var(--card)"} = {}) {
    const paint = hollow ? `fill="var(--plot)" stroke="var(--${color})" stroke-width="2"` : `fill="var(--${color})" stroke="${stroke}"`;
    this.marks.push(`<circle cx="${this.px(x).toFixed(1)}" cy="${this.py(y).toFixed(1)}" r="${size}" ${paint}/>`);
  }
  here(x) {
    this.marks.push(`<line class="here" x1="${this.px(x)}" x2="${this.px(x)}" y1="${this.top}" y2="${this.bottom}"/>`);
  }
  draw(id, title) {
    const {left, right, top, bottom} = this, box = `x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"`;
    const across = this.xTicks.map(value => `<text x="${this.px(value)}" y="${bottom + 18}" text-anchor="middle">${value}</text>`);
    const up = this.yTicks.map(value => `<line class="grid" x1="${left}" x2="${right}" y1="${this.py(value)}" y2="${this.py(value)}"/>
      <text x="${left - 6}" y="${this.py(value) + 4}" text-anchor="end">${value}</text>`);
    part(id).innerHTML = `<svg viewBox="0 0 ${this.width} ${this.height}" role="img" aria-label="${escaped(title)}">
      <defs><clipPath id="${id}-clip"><rect ${box}/></clipPath></defs><rect class="frame" ${box}/>${up.join("")}${across.join("")}
      <g clip-path="url(#${id}-clip)">${this.marks.join("")}</g>
      <text x="${(left + right) / 2}" y="${this.height - 6}" text-anchor="middle">${escaped(this.xLabel)}</text></svg>`;
  }
}

// Round ticks from 0 up to at least `most`.
function ticks(most, about = 4) {
  const rough = most / about, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(factor => factor * unit >= rough) * unit;
  return Array.from({length: Math.ceil(most / step - 1e-9) + 1}, (_, i) => Number((i * step).toPrecision(6)));
}

function verdict(kind, name, lines) {
  part("verdict").className = `verdict ${kind}`;
  part("verdict").innerHTML = `<strong>${escaped(name)}</strong>${lines.join("")}`;
}
