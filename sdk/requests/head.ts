/** What is known of a request before its body is read. */
export type RequestHead = {
  readonly method: string
  readonly url: string
  readonly headers: Pick<Headers, 'get' | 'has'> & { keys(): Iterable<string> }
}
