"""A real RTSP server that is not ours (GStreamer's) with cameras that never end.

Reads one JSON object from its first argument, prints the port it listens on, serves until its standard input closes.
What a camera sends is encoded once, kept in memory and sent again and again with timestamps that go on: no encoder
runs while it serves, so that figures measured against it are not figures of an encoder.
"""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

Gst.init(None)

CAPS = {
    "h264": "video/x-h264,stream-format=avc,alignment=au",
    "h265": "video/x-h265,stream-format=hvc1,alignment=au",
}
PAYLOADERS = {"h264": "rtph264pay", "h265": "rtph265pay"}
# Ten seconds of a tone of 1 kHz at 0.4 of full scale: what is encoded, and what pays it.
TONE = "audiotestsrc num-buffers={count} samplesperbuffer={samples} freq=1000 volume=0.4 ! audioconvert ! audio/x-raw,channels=1,rate={rate}"
AUDIO = {
    "aac": (48000, "avenc_aac", "rtpmp4gpay pt=97"),
    "aac-latm": (44100, "avenc_aac", "rtpmp4apay pt=97"),
    "opus": (48000, "opusenc", "rtpopuspay pt=97"),
    "pcmu": (8000, "mulawenc", "rtppcmupay pt=0"),
    "pcma": (8000, "alawenc", "rtppcmapay pt=8"),
    "l16": (16000, "audioconvert ! audio/x-raw,format=S16BE", "rtpL16pay pt=97"),
}
TRANSPORTS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
}
APPSRC = "appsrc is-live=true format=time max-bytes=4000000 leaky-type=downstream"
ROLE = "watcher"


class Clip:
    """Encoded access units of one loop, in decoding order: (data, pts, due, keyframe), times in ns from its start."""

    def __init__(self, path, source):
        pipeline = Gst.parse_launch(f"{source} ! appsink name=out sync=false")
        sink = pipeline.get_by_name("out")
        pipeline.set_state(Gst.State.PLAYING)
        found = []
        self.caps = None
        while (sample := sink.emit("pull-sample")) is not None:
            buffer = sample.get_buffer()
            self.caps = self.caps or sample.get_caps()
            keyframe = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
            found.append((buffer.extract_dup(0, buffer.get_size()), buffer.pts, keyframe))
        error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
        if error is not None or len(found) < 2:
            raise SystemExit(f"{path}: {error.parse_error()[0].message if error else 'nothing'}")
        # With B-frames the pictures are not in order; they are sent one frame interval apart all the same.
        in_order = sorted(pts for _, pts, _ in found)
        first = in_order[0]
        self.units = [(data, pts - first, due - first, key) for (data, pts, key), due in zip(found, in_order)]
        span = in_order[-1] - first
        self.duration = span + span // (len(found) - 1)


def source_of(camera):
    """The part of a pipeline that gives the camera's video, parsed, in its codec."""
    codec = camera["codec"]
    fps = camera.get("fps", 15)
    every = camera.get("keyframeEvery", 2 * fps)
    encoders = {
        "h264": f"x264enc tune=zerolatency speed-preset=veryfast key-int-max={every}",
        "h265": f"x265enc tune=zerolatency speed-preset=ultrafast key-int-max={every} log-level=none",
    }
    if "file" not in camera:
        size = f"width={camera.get('width', 320)},height={camera.get('height', 240)}"
        return (
            f"videotestsrc num-buffers={every * 2} pattern=ball"
            f" ! video/x-raw,format=I420,{size},framerate={fps}/1 ! {encoders[codec]} ! {codec}parse"
        )
    location = camera["file"].replace("\\", "\\\\").replace('"', '\\"')
    if camera.get("reencode"):
        return (
            f'filesrc location="{location}" ! decodebin ! videoconvert ! video/x-raw,format=I420'
            f" ! {encoders[codec]} ! {codec}parse"
        )
    return f'filesrc location="{location}" ! parsebin ! {codec}parse'


class Feeder:
    """Gives one media pipeline its clip in real time, loop after loop, until the media is given up."""

    def __init__(self, clip, media, name):
        self.clip = clip
        self.source = media.get_element().get_by_name(name)
        self.source.set_property("caps", clip.caps)
        self.over = threading.Event()
        media.connect("unprepared", lambda _: self.over.set())
        threading.Thread(target=self.run, daemon=True).start()

    def running_time(self):
        # The clock is there a moment before the base time is: only a playing element has both.
        clock = self.source.get_clock()
        if clock is None or self.source.get_state(0)[1] != Gst.State.PLAYING:
            return None
        return clock.get_time() - self.source.get_base_time()

    def run(self):
        while (start := self.running_time()) is None:
            if self.over.wait(0.005):
                return
        while True:
            for data, pts, due, keyframe in self.clip.units:
                early = start + due - (self.running_time() or 0)
                if self.over.wait(max(0, early) / Gst.SECOND):
                    return
                buffer = Gst.Buffer.new_wrapped(data)
                buffer.pts = start + pts
                if not keyframe:
                    buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
                if self.source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
            start += self.clip.duration


CLIPS = {}


def clip_of(path, source):
    """The same is encoded once, however many paths send it."""
    if source not in CLIPS:
        CLIPS[source] = Clip(path, source)
    return CLIPS[source]


def sound_of(audio):
    rate, encoder, _ = AUDIO[audio]
    samples = rate // 50
    return TONE.format(count=500, samples=samples, rate=rate) + f" ! {encoder}"


def factory_of(camera, secured):
    path, codec, audio = camera["path"], camera["codec"], camera.get("audio")
    clips = {"source": clip_of(path, f"{source_of(camera)} ! {CAPS[codec]}")}
    launch = f"{APPSRC} name=source ! {PAYLOADERS[codec]} name=pay0 pt=96 config-interval=-1"
    if audio is not None:
        clips["sound"] = clip_of(path, sound_of(audio))
        launch += f" {APPSRC} name=sound ! {AUDIO[audio][2]} name=pay1"
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {launch} )")
    factory.set_shared(True)
    factory.set_protocols(TRANSPORTS[camera.get("transport", "any")])
    factory.connect(
        "media-configure", lambda _, media: [Feeder(clip, media, name) for name, clip in clips.items()]
    )
    if secured:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(ROLE, "media.factory.access", True)
        permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
        factory.set_permissions(permissions)
    return factory


def digest_auth(user, password):
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_digest(user, password, token)
    return auth


def main():
    options = json.loads(sys.argv[1])
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    secured = "user" in options
    if secured:
        server.set_auth(digest_auth(options["user"], options["password"]))
    for camera in options["cameras"]:
        server.get_mount_points().add_factory(camera["path"], factory_of(camera, secured))
    if server.attach(None) == 0:
        raise SystemExit("no port to listen on")

    # Sessions of clients that vanished are only given up when somebody asks for it.
    def forget_the_dead():
        server.get_session_pool().cleanup()
        return True

    GLib.timeout_add_seconds(1, forget_the_dead)
    # The parent's end closes this pipe, however it ended: no server is left behind.
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop.run()


main()
