"use strict";
/* Elements, words and numbers. All text enters the page through here, as text and never as markup. */
(function (presencia) {
  const SVG = "http://www.w3.org/2000/svg";

  function dress(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return element;
  }

  function node(name, attributes, ...children) {
    return dress(document.createElement(name), attributes, children);
  }

  function svg(name, attributes, ...children) {
    return dress(document.createElementNS(SVG, name), attributes, children);
  }

  const byId = (id) => document.getElementById(id);

  /* A text of others that may run from right to left, kept from turning what stands beside it. */
  const turning = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;
  const apart = (text) => (turning.test(text) ? `\u2068${String(text).replace(/[\u2066-\u2069]/g, "")}\u2069` : text);

  /* Words and numbers of one language; `use` changes it for all who hold the speech. */
  function speech(first) {
    const constants = {};
    const formats = new Map();
    let texts = first;

    function format(decimals, style) {
      const key = decimals + style;
      if (!formats.has(key)) {
        const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
        formats.set(key, new Intl.NumberFormat(texts.locale, { ...digits, style, useGrouping: "always" }));
      }
      return formats.get(key);
    }

    function text(key, values) {
      const known = { ...constants, ...values };
      return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in known ? String(apart(known[name])) : whole));
    }

    const write = (value, decimals, style) => format(decimals, style).format(value).replace("-", "−").replace("%", texts.percent_sign);
    const absent = (value) => value === null || value === undefined || Number.isNaN(value);
    const number = (value, decimals = 0) => (absent(value) ? text("no_value") : write(value, decimals, "decimal"));
    const percent = (value, decimals = 0) => (absent(value) ? text("no_value") : write(value, decimals, "percent"));
    const share = (value) => percent(value);
    const amount = (value) => number(value, value !== 0 && Math.abs(value) < 100 ? 1 : 0);
    const score = (value) => number(value, 2);
    const fix = (values) => Object.assign(constants, values);
    const said = { text, number, percent, share, amount, score, fix, has: (key) => key in texts };
    said.use = (lang, other) => { texts = other; formats.clear(); said.lang = lang; };
    said.pick = (words) => words[said.lang];
    return said;
  }

  presencia.dom = { node, svg, byId, apart };
  presencia.speech = speech;
})((window.presencia = window.presencia || {}));
