const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

export type IdPrefix =
  | 'run'
  | 'act'
  | 'case'
  | 'lock'
  | 'key'
  | 'eff'
  | 'src'
  | 'snap'
  | 'evt'
  | 'req'
  | 'prc'
  | 'pol'
  | 'arc'
  | 'mark'
  | 'sil'
  | 'rcv'
  | 'ntf'
  | 'ngr'
  | 'nin'
  | 'dlv'
  | 'rte'
  | 'ack'
  | 'inc'
  | 'msg'
  | 'end'

/** A prefixed random id with 130 bits of entropy, e.g. `run_0f3k…`. Not sortable: order by time columns. */
export function newId(prefix: IdPrefix): string {
  const bytes = crypto.getRandomValues(new Uint8Array(26))
  let id = `${prefix}_`
  for (const byte of bytes) id += ALPHABET[byte & 31]
  return id
}
