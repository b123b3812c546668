const HEAD = 10
const TAIL = 4

/** ord_8f21c0…a1b7: both ends of an identifier tell it apart; its title has it whole. */
export const shortId = (id: string, head = HEAD, tail = TAIL): string =>
  id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`
