import { reportResponse } from '@/app/_server/report-response'

type Props = { params: Promise<{ id: string }> }

export const POST = async (request: Request, { params }: Props): Promise<Response> => {
  const { id } = await params
  return reportResponse(request, () => ({ kind: 'run', id }))
}
