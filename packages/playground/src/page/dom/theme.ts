import { byId } from './elements.js';

const STORED = 'vibe-edit-theme';
const THEMES = ['system', 'light', 'dark'] as const;

/** The button that goes from the system's theme to light to dark. */
export function connectTheme(): void {
  const button = byId('theme', HTMLButtonElement);
  let theme = THEMES.find((name) => name === localStorage.getItem(STORED)) ?? 'system';
  const apply = (): void => {
    document.documentElement.dataset.theme = theme;
    button.setAttribute('aria-label', `Colours: ${theme}. Change`);
    button.title = `Colours: ${theme}`;
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as (typeof THEMES)[number];
    localStorage.setItem(STORED, theme);
    apply();
  });
  apply();
}
