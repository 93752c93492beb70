"""Looks at a page as somebody would who sees badly, has no mouse, or holds a phone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Frame, Page

WANTED_CONTRAST = 4.5

_CONTRAST = """
(wanted) => {
  const parse = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    return {rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1};
  };
  const light = (rgb) => rgb.map((part) => {
    const c = part / 255;
    return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
  }).reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const paper = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = parse(getComputedStyle(at).backgroundColor);
      if (found.alpha > 0.99) return found.rgb;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || element.closest("svg") || box.width < 2 || box.height < 2) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color).rgb), light(paper(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < wanted) faint.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}
"""

_UNLABELLED = """
() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
  .filter((field) => !(field.labels && field.labels.length) && !field.getAttribute("aria-label"))
  .map((field) => field.outerHTML)
"""

_BARE_TABLES = """
() => [...document.querySelectorAll("table")]
  .filter((table) => [...table.querySelectorAll("th")].some((cell) => !cell.scope) || !table.querySelector("th"))
  .map((table) => table.outerHTML.slice(0, 200))
"""

_FOCUS = """
() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    name: at.name || "", words: (at.textContent || "").trim().slice(0, 60), tag: at.tagName, id: at.id,
    classes: at.className, inTable: Boolean(at.closest("table")) || Boolean(at.querySelector("table")),
    visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0,
  };
}
"""


def faint_texts(page: Page | Frame) -> list[str]:
    """Return the texts that stand out too little from what is behind them."""
    return list(page.evaluate(_CONTRAST, WANTED_CONTRAST))


def shortcomings(page: Page) -> dict[str, Any]:
    """Return what a page lacks for readers who do not see it; a good page has nothing."""
    found = {
        "language": page.locator("html").get_attribute("lang") != "en",
        "one headline": page.locator("h1").count() != 1,
        "a title": not page.title(),
        "labels": page.evaluate(_UNLABELLED),
        "headers of tables": page.evaluate(_BARE_TABLES),
    }
    return {name: value for name, value in found.items() if value}


def focused(page: Page) -> dict[str, Any]:
    """Return what has the keyboard."""
    return dict(page.evaluate(_FOCUS))


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def brightness(page: Page | Frame) -> int:
    """Return how bright the paper is, from 0 (black) to 255."""
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
    return int(sum(colour[:3]) / 3)
