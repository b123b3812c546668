import { Time } from './time'

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/

/** A text whose moments follow the zone switch. */
export const TextWithTimes = ({ text }: { text: string }) => (
  <>
    {text.split(MOMENT).map((piece, place) =>
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text keep their places
      MOMENT.test(piece) ? <Time key={place} at={piece} /> : <span key={place}>{piece}</span>,
    )}
  </>
)
