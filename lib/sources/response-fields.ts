const NAME_LENGTH_MAX = 255

/** Reads short texts at the top of a stored JSON response; null for what is not there, or no JSON. */
export function responseFields(body: string | null): (field: string) => string | null {
  const parsed = parseJson(body)
  return (field) => {
    const value: unknown = parsed !== null && typeof parsed === 'object' ? Reflect.get(parsed, field) : null
    return typeof value === 'string' && value.length > 0 && value.length <= NAME_LENGTH_MAX ? value : null
  }
}

function parseJson(text: string | null): unknown {
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    // A body need not be JSON: then it names nothing.
    return null
  }
}
