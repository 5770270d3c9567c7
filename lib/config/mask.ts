/** Hides what URLs may carry in secret: passwords, the code of a room, and the fragment, which holds an invitation's. */
export function withoutSecrets(text: string): string {
  const masked = text
    .replaceAll(/(?<=:\/\/[^\s/@:]*:)[^\s/@]*(?=@)/g, '***')
    .replaceAll(/(?<=:\/\/\S*[?&]code=)[^\s&#]*/g, '***');
  return /^[a-z]+:\/\//.test(masked) ? masked.replace(/#.*$/, '#***') : masked;
}
