export type MediaType = {
  /** `type/subtype` in lower case; '' when there is none. */
  essence: string
  /** Names in lower case, values without quotes. */
  parameters: Map<string, string>
}

const PARAMETER = /;\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)/g

/** Reads a Content-Type header. */
export function parseMediaType(header: string | null): MediaType {
  const [essence = ''] = (header ?? '').split(';', 1)
  const parameters = new Map<string, string>()
  for (const [, name = '', value = ''] of (header ?? '').matchAll(PARAMETER)) {
    const unquoted = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value.trim()
    parameters.set(name.toLowerCase(), unquoted)
  }
  return { essence: essence.trim().toLowerCase(), parameters }
}

/** As the WHATWG's MIME Sniffing says. */
export const isJsonType = ({ essence }: MediaType): boolean =>
  essence === 'application/json' || essence === 'text/json' || essence.endsWith('+json')

export const isUtf8 = ({ parameters }: MediaType): boolean =>
  /^utf-?8$/i.test(parameters.get('charset') ?? 'utf-8')
