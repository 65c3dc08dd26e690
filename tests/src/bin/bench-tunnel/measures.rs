//! What is measured, and what it should come to.

use crate::{
    process::{cpu_seconds, open_files, resident_bytes},
    side::{Bench, LONG, Side, Tunnel, Way},
};
use dockline_tests::bench::{Better, Target, download, p99, round_trip, upload};
use std::{
    io::Write as _,
    net::{Shutdown, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How much is done for one value.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Bytes of one measured transfer.
    pub bytes: u64,
    /// Seconds of one measurement that counts what happens in a time.
    pub seconds: f64,
}

/// One row of the table for each peer.
pub struct Row {
    pub id: &'static str,
    pub unit: &'static str,
    pub better: Better,
    /// Wanted beside `ssh -L` with its default ciphers.
    pub target: Target,
    /// Wanted beside its fastest.
    pub target_gcm: Target,
}

/// One experiment: a value for each of its rows.
pub struct Measure {
    pub rows: &'static [Row],
    pub take: fn(&Bench, Side, Size) -> Vec<f64>,
}

const MIB: f64 = 1024.0 * 1024.0;
/// 85 % of the long way's link, in MiB/s.
const MOST_OF_THE_LINK: f64 = match LONG.rate {
    Some(rate) => rate as f64 / MIB * 0.85,
    None => 0.0,
};

const fn ratio(ratio: f64) -> Target {
    Target { ratio: Some(ratio), ours: None }
}

const fn row(id: &'static str, unit: &'static str, better: Better, wanted: f64, wanted_gcm: f64) -> Row {
    Row { id, unit, better, target: ratio(wanted), target_gcm: ratio(wanted_gcm) }
}

/// Everything, in the order in which it is measured and shown.
pub const MEASURES: &[Measure] = &[
    Measure {
        rows: &[row("upload-1", "MiB/s", Better::Higher, 2.0, 1.1)],
        take: |bench, side, size| vec![bench.throughput(side, Way::Straight, upload, size.bytes, 1)],
    },
    Measure {
        rows: &[row("download-1", "MiB/s", Better::Higher, 1.8, 1.0)],
        take: |bench, side, size| vec![bench.throughput(side, Way::Straight, download, size.bytes, 1)],
    },
    // dockerd sends up to five layers at once.
    Measure {
        rows: &[row("upload-5", "MiB/s", Better::Higher, 2.0, 1.3)],
        take: |bench, side, size| vec![bench.throughput(side, Way::Straight, upload, size.bytes, 5)],
    },
    Measure {
        rows: &[row("download-5", "MiB/s", Better::Higher, 2.0, 1.3)],
        take: |bench, side, size| vec![bench.throughput(side, Way::Straight, download, size.bytes, 5)],
    },
    Measure {
        rows: &[row("cpu-per-gb", "s/GB", Better::Lower, 3.0, 1.5)],
        take: |bench, side, size| vec![bench.cpu_per_gb(side, size.bytes)],
    },
    Measure {
        rows: &[Row {
            target: Target { ratio: Some(2.5), ours: Some(MOST_OF_THE_LINK) },
            target_gcm: Target { ratio: Some(2.5), ours: Some(MOST_OF_THE_LINK) },
            ..row("download-50ms-1", "MiB/s", Better::Higher, 2.5, 2.5)
        }],
        take: |bench, side, size| vec![bench.throughput(side, Way::Long, download, size.bytes / 2, 1)],
    },
    Measure {
        rows: &[row("upload-50ms-5", "MiB/s", Better::Higher, 1.2, 1.2)],
        take: |bench, side, size| vec![bench.throughput(side, Way::Long, upload, size.bytes / 2, 5)],
    },
    Measure {
        rows: &[row("download-50ms-5", "MiB/s", Better::Higher, 1.2, 1.2)],
        take: |bench, side, size| vec![bench.throughput(side, Way::Long, download, size.bytes / 2, 5)],
    },
    Measure {
        rows: &[row("ping-under-load", "ms", Better::Lower, 3.0, 2.0)],
        take: |bench, side, size| vec![bench.ping_under_load(side, size.seconds)],
    },
    Measure {
        rows: &[row("cold-connect", "ms", Better::Lower, 2.5, 2.5)],
        take: |bench, side, _| vec![bench.cold_connect(side)],
    },
    Measure {
        rows: &[
            row("requests-32", "1/s", Better::Higher, 1.3, 1.3),
            row("requests-32-p99", "ms", Better::Lower, 5.0, 5.0),
        ],
        take: |bench, side, size| bench.requests(side, 32, size.seconds).to_vec(),
    },
    Measure {
        rows: &[
            Row {
                target: Target { ratio: None, ours: Some(64.0) },
                target_gcm: NOTHING,
                ..row("rss-1000", "KiB each", Better::Lower, 0.0, 0.0)
            },
            Row {
                target: Target { ratio: None, ours: Some(110.0) },
                target_gcm: NOTHING,
                ..row("rss-1000-closed", "%", Better::Lower, 0.0, 0.0)
            },
        ],
        take: |bench, side, _| bench.memory_of_connections(side, 1000).to_vec(),
    },
];

const NOTHING: Target = Target { ratio: None, ours: None };

impl Bench {
    /// MiB a second over `connections` at once, each with its part of `bytes`.
    fn throughput(
        &self,
        side: Side,
        way: Way,
        transfer: fn(&mut TcpStream, u64) -> std::io::Result<()>,
        bytes: u64,
        connections: u64,
    ) -> f64 {
        let tunnel = self.start(side, way);
        let mut streams: Vec<TcpStream> = (0..connections).map(|_| tunnel.connect()).collect();
        let began = Instant::now();
        thread::scope(|scope| {
            for stream in &mut streams {
                scope.spawn(|| transfer(stream, bytes / connections).expect("the tunnel stays up"));
            }
        });
        bytes as f64 / MIB / began.elapsed().as_secs_f64()
    }

    /// Processor seconds of the client for 10^9 bytes, half of them up and half of them down.
    fn cpu_per_gb(&self, side: Side, bytes: u64) -> f64 {
        let tunnel = self.start(side, Way::Straight);
        let mut stream = tunnel.connect();
        let before = cpu_seconds(tunnel.program.pid());
        upload(&mut stream, bytes).expect("the tunnel stays up");
        download(&mut stream, bytes).expect("the tunnel stays up");
        (cpu_seconds(tunnel.program.pid()) - before) / (2.0 * bytes as f64 / 1e9)
    }

    /// Milliseconds that 99 of 100 small requests stay below while two uploads run without a pause.
    fn ping_under_load(&self, side: Side, seconds: f64) -> f64 {
        let tunnel = self.start(side, Way::Straight);
        let uploads: Vec<TcpStream> = (0..2).map(|_| tunnel.connect()).collect();
        let mut ping = tunnel.connect();
        let (running, ran) = mpsc::channel();
        let times = thread::scope(|scope| {
            for stream in &uploads {
                let running = running.clone();
                scope.spawn(move || upload_until_cut(stream, &running));
            }
            for _ in &uploads {
                ran.recv().expect("the upload runs");
            }
            let times = request_times(&mut ping, Instant::now() + Duration::from_secs_f64(seconds));
            for stream in &uploads {
                stream.shutdown(Shutdown::Both).ok();
            }
            times
        });
        p99(times)
    }

    /// Milliseconds from the program's start to the first answer.
    fn cold_connect(&self, side: Side) -> f64 {
        let began = Instant::now();
        let tunnel = self.start(side, Way::Straight);
        drop(tunnel.connect());
        began.elapsed().as_secs_f64() * 1000.0
    }

    /// Small requests a second over so many connections, each with one under way at a time; and the milliseconds that
    /// 99 of 100 stay below.
    fn requests(&self, side: Side, connections: usize, seconds: f64) -> [f64; 2] {
        let tunnel = self.start(side, Way::Straight);
        let mut streams: Vec<TcpStream> = (0..connections).map(|_| tunnel.connect()).collect();
        let began = Instant::now();
        let until = began + Duration::from_secs_f64(seconds);
        let times: Vec<f64> = thread::scope(|scope| {
            let running: Vec<_> =
                streams.iter_mut().map(|stream| scope.spawn(move || request_times(stream, until))).collect();
            running.into_iter().flat_map(|thread| thread.join().expect("the tunnel stays up")).collect()
        });
        [times.len() as f64 / began.elapsed().as_secs_f64(), p99(times)]
    }

    /// KiB of the client for each of so many open connections; and its memory after they have closed, in percent of
    /// what it was before.
    fn memory_of_connections(&self, side: Side, connections: usize) -> [f64; 2] {
        let tunnel = self.start(side, Way::Straight);
        let pid = tunnel.program.pid();
        drop(tunnel.connect());
        // ssh and sshd tell each other, and us, of the end in their own time.
        let files = settled(&tunnel, |_| true);
        let before = resident_bytes(pid);
        let streams: Vec<TcpStream> = (0..connections).map(|_| tunnel.connect()).collect();
        let open = resident_bytes(pid);
        drop(streams);
        settled(&tunnel, |now| now <= files + 2);
        let after = resident_bytes(pid);
        [(open - before) / 1024.0 / connections as f64, after / before * 100.0]
    }
}

/// Waits until the number of the program's open files is as wanted and does not change any more; returns it.
fn settled(tunnel: &Tunnel, is_wanted: impl Fn(usize) -> bool) -> usize {
    const LOOK: Duration = Duration::from_millis(250);
    const LOOKS: usize = 80;
    let mut last = None;
    let (_never, pause) = mpsc::channel::<()>();
    for _ in 0..LOOKS {
        // There is no event to wait for in another process.
        let _ = pause.recv_timeout(LOOK);
        let now = open_files(tunnel.program.pid());
        if last == Some(now) && is_wanted(now) {
            return now;
        }
        last = Some(now);
    }
    panic!(
        "the program keeps {last:?} files open after all connections have ended\n{}",
        tunnel.program.log()
    );
}

/// Says so when enough is under way to fill every buffer, and goes on until the connection is cut.
fn upload_until_cut(mut stream: &TcpStream, running: &mpsc::Sender<()>) {
    const ENOUGH: usize = 16 << 20;
    let mut request = vec![b'U'];
    request.extend(u64::MAX.to_be_bytes());
    stream.write_all(&request).expect("the tunnel stays up");
    let piece = vec![7; 256 << 10];
    let mut sent = 0;
    while stream.write_all(&piece).is_ok() {
        if sent < ENOUGH && sent + piece.len() >= ENOUGH {
            running.send(()).ok();
        }
        sent += piece.len();
    }
}

/// One small request after the other until the time is over; the milliseconds that each took.
fn request_times(stream: &mut TcpStream, until: Instant) -> Vec<f64> {
    let mut times = Vec::new();
    loop {
        let began = Instant::now();
        if began >= until {
            return times;
        }
        round_trip(stream).expect("the tunnel stays up");
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
}
