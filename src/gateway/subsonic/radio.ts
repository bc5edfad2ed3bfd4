import { z } from 'zod'
import { station } from '../../protocol/facts/listening.ts'
import { type Asking, endpoint, settled } from './endpoint.ts'
import { Failure } from './failure.ts'
import { requireGuid } from './item.ts'
import { itemId, optional, required, text } from './parameters.ts'

/** Internet radio: addresses that administrators keep for everyone, and that clients play themselves. */

export const getInternetRadioStations = endpoint(z.object({}), async ({ listening }, { signal }) => {
  const internetRadioStation = (await listening.stations(signal)).map((each) => ({ ...each }))
  return { internetRadioStations: { internetRadioStation } }
})

const written = z.object({ streamUrl: required(text), name: required(text), homepageUrl: optional(text) })

/** What is asked for as a station, or failure 10 with the name of what is wrong. */
function stationOf({ streamUrl, name, homepageUrl }: z.output<typeof written>) {
  const homePage = homepageUrl === undefined ? {} : { homePageUrl: homepageUrl }
  const parsed = station.omit({ id: true }).safeParse({ streamUrl, name, ...homePage })
  if (parsed.success) return parsed.data
  const field = String(parsed.error.issues[0]?.path[0])
  const parameter = field === 'homePageUrl' ? 'homepageUrl' : field
  throw new Failure(10, `The parameter '${parameter}' is not valid: ${parsed.error.issues[0]?.message}`)
}

function requireAdministrator({ viewer }: Asking): void {
  if (!viewer.administrator) throw new Failure(50, 'Only administrators keep radio stations')
}

export const createInternetRadioStation = endpoint(written, async (parts, asking, wanted) => {
  requireAdministrator(asking)
  await settled(parts, await parts.listening.createStation(stationOf(wanted), asking.signal), asking.signal)
  return {}
})

export const updateInternetRadioStation = endpoint(
  written.extend({ id: required(itemId) }),
  async (parts, asking, { id, ...wanted }) => {
    requireAdministrator(asking)
    const changed = { ...stationOf(wanted), id: requireGuid(id, 'radio station') }
    await settled(parts, await parts.listening.changeStation(changed, asking.signal), asking.signal)
    return {}
  },
)

export const deleteInternetRadioStation = endpoint(
  z.object({ id: required(itemId) }),
  async (parts, asking, { id }) => {
    requireAdministrator(asking)
    const station = requireGuid(id, 'radio station')
    await settled(parts, await parts.listening.removeStation(station, asking.signal), asking.signal)
    return {}
  },
)
