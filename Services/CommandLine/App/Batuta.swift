import ArgumentParser
import CommandLineCore

/// The command line of Batuta.
@main
enum Batuta {
    static func main() async {
        await BatutaCommand.main()
    }
}
