/** Where to go after signing in: a path of this console, never another site. */
export function returnPath(asked: string | string[] | undefined): string {
  if (typeof asked !== 'string') return '/now'
  // `//host` and `/\host` are other sites to a browser.
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(asked) ? asked : '/now'
}
