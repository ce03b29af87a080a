// The chosen theme, set before the first paint so that a dark room is not lit up; a file of its own, since inline scripts are
// refused. Choosing it is in src/preferences.ts.
{
  const theme = localStorage.getItem('rsv.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}
