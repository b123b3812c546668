const PARTITION = /^k#(\d+):/

/** Scope and key of a partition, `k#{length of scope}:{scope}:{key}`; null = it is another one. */
export function readPartition(pk: string): { scope: string; key: string } | null {
  const [head = '', length = ''] = PARTITION.exec(pk) ?? []
  const end = head.length + Number(length)
  if (head === '' || pk[end] !== ':') return null
  return { scope: pk.slice(head.length, end), key: pk.slice(end + 1) }
}
