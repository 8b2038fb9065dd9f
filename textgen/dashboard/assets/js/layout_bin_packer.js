/*
 * Where the panes of Visdom's page go: from left to right, and on to a new shelf below when the
 * next one is too wide for what is left of this one.
 *
 * A small pane never goes back to a gap on an earlier shelf. Visdom sorts the panes by row and
 * column and packs them anew, again and again; filling gaps would shuffle them each time, and so
 * they stay in the order in which they were created.
 *
 * All numbers are in units of the page's grid: columns across, rows down.
 */
"use strict";

window.Bin = {
  ShelfFirst: class {
    /* content: a list of {width, height}, to which main.js itself appends. */
    constructor(content, columns) {
      this.content = content;
      this.columns = columns;
    }

    /* Return the place {x, y} of a pane; columns is the width of the page. */
    position(index, columns = this.columns) {
      const rounding = 0.01; // widths given in pixels become fractions of a column
      let x = 0;
      let y = 0;
      let shelfHeight = 0;
      for (const [place, pane] of this.content.entries()) {
        if (x > 0 && x + pane.width > columns + rounding) {
          x = 0;
          y += shelfHeight;
          shelfHeight = 0;
        }
        if (place === index) break;
        x += pane.width;
        shelfHeight = Math.max(shelfHeight, pane.height);
      }
      return { x, y };
    }
  },
};
