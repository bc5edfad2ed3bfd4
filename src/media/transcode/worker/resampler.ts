import type { AVSampleFormat } from 'node-av/constants'
import { AV_CHANNEL_ORDER_UNSPEC, AVERROR_EAGAIN, AVERROR_EOF } from 'node-av/constants'
import {
  avChannelLayoutDefault,
  avChannelLayoutDescribe,
  avGetSampleFmtName,
  Filter,
  type FilterContext,
  FilterGraph,
  Frame,
} from 'node-av/lib'
import { check } from './input.ts'

/** What an encoder wants to be fed. */
export interface Shape {
  readonly sampleFormat: string
  readonly sampleRate: number
  readonly channels: 1 | 2
  /** Samples in a frame; 0: any number. */
  readonly frameSize: number
}

/** Brings decoded frames into the encoder's shape and hands them on. */
export interface Resampler extends Disposable {
  /** `sampleFormat`: the decoder's, at this frame. */
  push(frame: Frame, sampleFormat: AVSampleFormat): void
  /** Hands on what is left. */
  end(): void
}

/**
 * `fromSeconds` cuts what lies before that point of the stream's own time. A stream whose shape changes on its way
 * (a radio recording, two files joined) gets a new graph at that point.
 */
export function createResampler(
  shape: Shape,
  timeBase: { num: number; den: number },
  fromSeconds: number | null,
  emit: (frame: Frame) => void,
): Resampler {
  let graph: Graph | null = null
  let key = ''
  const out = new Frame()
  out.alloc()

  const drain = (from: Graph): void => {
    for (;;) {
      const code = from.sink.buffersinkGetFrameSync(out)
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return
      check(code, 'resampling it')
      emit(out)
      out.unref()
    }
  }
  const finish = (): void => {
    if (graph === null) return
    check(graph.source.buffersrcAddFrameSync(null), 'resampling it')
    drain(graph)
    graph.filters[Symbol.dispose]()
    graph = null
  }

  return {
    push(frame, sampleFormat) {
      if (frame.channelLayout.order === AV_CHANNEL_ORDER_UNSPEC) {
        frame.channelLayout = avChannelLayoutDefault(frame.channels)
      }
      const input = {
        sampleFormat: avGetSampleFmtName(sampleFormat) ?? 'fltp',
        sampleRate: frame.sampleRate,
        layout: avChannelLayoutDescribe(frame.channelLayout) ?? 'stereo',
      }
      const newKey = Object.values(input).join()
      if (newKey !== key) finish()
      key = newKey
      graph ??= openGraph(input, timeBase, fromSeconds, shape)
      check(graph.source.buffersrcAddFrameSync(frame), 'resampling it')
      drain(graph)
    },
    end: finish,
    [Symbol.dispose]() {
      graph?.filters[Symbol.dispose]()
      out.free()
    },
  }
}

interface Graph {
  readonly filters: FilterGraph
  readonly source: FilterContext
  readonly sink: FilterContext
}

function openGraph(
  input: { sampleFormat: string; sampleRate: number; layout: string },
  timeBase: { num: number; den: number },
  fromSeconds: number | null,
  shape: Shape,
): Graph {
  const filters = new FilterGraph()
  filters.alloc()
  const add = (name: string, options: string | null): FilterContext => {
    const filter = Filter.getByName(name)
    const context = filter && filters.createFilter(filter, name, options)
    if (context === null) throw new Error(`FFmpeg has no filter ${name}=${options}`)
    return context
  }
  const source = add(
    'abuffer',
    `time_base=${timeBase.num}/${timeBase.den}:sample_rate=${input.sampleRate}` +
      `:sample_fmt=${input.sampleFormat}:channel_layout=${input.layout}`,
  )
  const chain = [
    source,
    ...(fromSeconds === null ? [] : [add('atrim', `start=${fromSeconds}`)]),
    add(
      'aformat',
      `sample_fmts=${shape.sampleFormat}:sample_rates=${shape.sampleRate}` +
        `:channel_layouts=${shape.channels === 1 ? 'mono' : 'stereo'}`,
    ),
    ...(shape.frameSize === 0 ? [] : [add('asetnsamples', `n=${shape.frameSize}:p=0`)]),
    add('abuffersink', null),
  ]
  chain.reduce((from, to) => {
    check(from.link(0, to, 0), 'preparing to resample it')
    return to
  })
  check(filters.configSync(), 'preparing to resample it')
  const sink = chain.at(-1) ?? source
  return { filters, source, sink }
}
