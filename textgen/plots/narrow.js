// On a phone a plot has the whole width: its title is broken into lines, and what is named beside
// the curves stands below them, for which there is more height. The layout itself is changed, for
// Visdom reads it again. On any screen plots follow the page's width.
(() => {
  const narrow = 600, columns = 44, line = 19, curves = 230, axis = 52;

  // Some words of plotly's HTML, where an entity is one character; one of Chinese takes two columns.
  function broken(title) {
    const lines = [''];
    let used = 0;
    for (const word of title.match(/[^\s\u2e80-\uffef]+\s*|[\u2e80-\uffef]\s*/g) ?? []) {
      const width = word.replace(/&\w+;/g, ' ').length + (word > '\u2e80');
      if (used && used + width > columns) {
        lines.push('');
        used = 0;
      }
      lines[lines.length - 1] += word;
      used += width;
    }
    return lines;
  }

  function fit(element, data, layout) {
    const lines = broken(layout.title.text), names = data.map(trace => trace.name ?? '');
    const across = names.join('').length < columns - 5 * names.length;
    const below = line * (across ? 1 : names.join('<br>').split('<br>').length) + 12;
    const above = 24 + line * lines.length;
    layout.narrow = true;
    Object.assign(layout.title, {
      text: lines.join('<br>'), font: {size: 14}, yref: 'container', y: 1, yanchor: 'top',
      pad: {t: 12},
    });
    layout.legend = {
      orientation: across ? 'h' : 'v', x: 0, xanchor: 'left', yref: 'container', y: 0,
      yanchor: 'bottom',
    };
    layout.margin = {l: 48, r: layout.yaxis2 ? 56 : 12, t: above, b: axis + below};
    const frame = element.closest('.react-grid-item') ?? element;
    frame.style.height = `${above + curves + axis + below}px`;
  }

  const draw = Plotly.newPlot;
  Plotly.newPlot = (where, data, layout, config) => {
    config = {...config, responsive: true};
    if (innerWidth >= narrow) return draw(where, data, layout, config);
    const element = typeof where === 'string' ? document.getElementById(where) : where;
    if (layout?.title?.text && layout.legend && !layout.narrow) fit(element, data, layout);
    // Plotly's buttons, which a finger does not need, would stand over the title.
    return draw(where, data, layout, {...config, displayModeBar: false});
  };
})();
