/** `web/POST /v1/payments` → its caller and its endpoint. */
export function scopeParts(scope: string): { client: string; endpoint: string } {
  const slash = scope.indexOf('/')
  return slash < 0
    ? { client: '', endpoint: scope }
    : { client: scope.slice(0, slash), endpoint: scope.slice(slash + 1) }
}
