import Glibc

/// The standard metrics of the process, read from `/proc` at each scrape.
package enum ProcessMetrics {
    /// Adds what can be read to an exposition; what cannot is left out.
    package static func collect(into exposition: inout Exposition) {
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        if let status = text(ofFile: "/proc/self/stat").flatMap(fields(ofStatus:)) {
            let cpu = (status.userTicks + status.systemTicks) / ticks
            add(.counter("process_cpu_seconds_total", help: "User and system CPU time spent."), cpu, to: &exposition)
            add(.gauge("process_virtual_memory_bytes", help: "Virtual memory size."), status.virtual, to: &exposition)
            let resident = status.residentPages * Double(sysconf(Int32(_SC_PAGESIZE)))
            add(.gauge("process_resident_memory_bytes", help: "Resident memory size."), resident, to: &exposition)
            if let boot = text(ofFile: "/proc/stat").flatMap(bootTime(in:)) {
                let start = MetricDescription.gauge(
                    "process_start_time_seconds",
                    help: "Start time of the process since the Unix epoch."
                )
                add(start, boot + status.startTicks / ticks, to: &exposition)
            }
        }
        if let count = openDescriptors() {
            add(.gauge("process_open_fds", help: "Open file descriptors."), count, to: &exposition)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 {
            let most = Double(limit.rlim_cur)
            add(.gauge("process_max_fds", help: "The most file descriptors allowed."), most, to: &exposition)
        }
    }

    /// The fields of `/proc/self/stat` that are wanted; the command's name may hold blanks and parentheses.
    static func fields(
        ofStatus text: String
    ) -> (userTicks: Double, systemTicks: Double, startTicks: Double, virtual: Double, residentPages: Double)? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // Field 3, the state, is the first of these.
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        guard let start = Double(fields[19]), let virtual = Double(fields[20]), let pages = Double(fields[21]) else {
            return nil
        }
        return (user, system, start, virtual, pages)
    }

    private static func bootTime(in text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6))
        }
        return nil
    }

    private static func openDescriptors() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Neither the two dots nor the descriptor of this very listing count.
        return Double(max(0, count - 3))
    }

    private static func text(ofFile path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func add(_ description: MetricDescription, _ value: Double, to exposition: inout Exposition) {
        exposition.add(description, samples: [("", value)])
    }
}
