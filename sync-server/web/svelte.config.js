// Svelte's settings: runes everywhere.
export default {
  compilerOptions: {
    runes: true,
    // The table of traps writes its roles out, because a phone shows it as cards.
    warningFilter: (warning) => warning.code !== 'a11y_no_redundant_roles',
  },
};
