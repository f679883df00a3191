"use strict";
/* Elements, words and numbers. All text enters the page through here, as text and never as markup. */
(function (presencia) {
  const SVG = "http://www.w3.org/2000/svg";

  function dress(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  function node(name, attributes, ...children) {
    return dress(document.createElement(name), attributes, children);
  }

  function svg(name, attributes, ...children) {
    return dress(document.createElementNS(SVG, name), attributes, children);
  }

  const byId = (id) => document.getElementById(id);

  function speech(texts) {
    const constants = {};
    const formats = new Map();

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
      return texts[key].replace(/\{(\w+)\}/g, (whole, name) => (name in known ? String(known[name]) : whole));
    }

    const number = (value, decimals = 0) => (value === null ? text("no_value") : format(decimals, "decimal").format(value));
    const share = (value) => (value === null ? text("no_value") : format(0, "percent").format(value));
    const amount = (value) => number(value, value !== null && value !== 0 && Math.abs(value) < 100 ? 1 : 0);
    const score = (value) => number(value, 2);
    const fix = (values) => Object.assign(constants, values);
    return { text, number, share, amount, score, fix };
  }

  presencia.dom = { node, svg, byId };
  presencia.speech = speech;
})((window.presencia = window.presencia || {}));
