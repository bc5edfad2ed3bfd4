// Runs before the first paint, so that a person who chose a theme never sees the other one flash by.
try {
  const theme = localStorage.getItem('hocket.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {}
