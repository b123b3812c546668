/** `web/POST /v1/payments` → its caller and its endpoint. */
export function scopeParts(scope: string): { client: string; endpoint: string } {
  const slash = scope.indexOf('/')
  return slash < 0
    ? { client: '', endpoint: scope }
    : { client: scope.slice(0, slash), endpoint: scope.slice(slash + 1) }
}

/** Small facts in a line; what is empty, such as the caller where a store keeps none, leaves no gap. */
export const dotted = (...facts: string[]): string => facts.filter((fact) => fact !== '').join(' · ')
