const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/**
 * The earliest moment at which a message can have been consumed. A broker may tell only when it was parked: an id that holds the
 * time of its making is older, and counts then. null = nobody knows.
 */
export function publishedAtOf({
  id,
  publishedAt,
}: {
  id: string | null
  publishedAt: Date | null
}): Date | null {
  const [, high, low] = UUID_V7.exec(id ?? '') ?? []
  if (high === undefined || low === undefined) return publishedAt
  const made = new Date(Number.parseInt(high + low, 16))
  return publishedAt === null || made < publishedAt ? made : publishedAt
}
