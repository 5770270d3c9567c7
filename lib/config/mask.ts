/** Hides what URLs may carry in secret: passwords, and the fragment, which holds the secret of an invitation. */
export function withoutSecrets(text: string): string {
  const masked = text.replaceAll(/(?<=:\/\/[^\s/@:]*:)[^\s/@]*(?=@)/g, '***');
  return /^[a-z]+:\/\//.test(masked) ? masked.replace(/#.*$/, '#***') : masked;
}
