/** More items in one act would need a snapshot, a second person and a hold: not offered for keys and cases. */
export const BULK_MAX = 100
