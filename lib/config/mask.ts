/** Hides what a URL may carry in secret: a password, and the fragment, which holds the secret of an invitation. */
export function withoutSecrets(text: string): string {
  return /^[a-z]+:\/\//.test(text) ? text.replace(/(?<=\/\/[^/@:]*:)[^@/]*(?=@)/, '***').replace(/#.*$/, '#***') : text;
}
