// Draws each figure from the JSON that stands behind it.
for (const source of document.querySelectorAll("script[data-figure]")) {
  const { data, layout } = JSON.parse(source.textContent);
  Plotly.newPlot(source.dataset.figure, data, layout, { responsive: true, displayModeBar: false });
}
