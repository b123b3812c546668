/**
 * The fields of a form (application/x-www-form-urlencoded), each decoded to its bytes. The order of fields counts only
 * where it can mean something: a name is repeated, or builds a structure (`items[][price]`).
 */
export function readFormFields(body: Uint8Array): [name: string, value: string][] {
  const fields = Buffer.from(body)
    .toString('latin1')
    .split('&')
    .filter((field) => field !== '')
    .map((field): [string, string] => {
      const [name = ''] = field.split('=', 1)
      return [decode(name), decode(field.slice(name.length + 1))]
    })
  const names = new Set(fields.map(([name]) => name))
  const ordered = names.size < fields.length || [...names].some((name) => name.includes('['))
  return ordered ? fields : fields.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** One character a byte, so that text in any charset, or in none, stays what it was. */
const decode = (text: string): string =>
  text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
