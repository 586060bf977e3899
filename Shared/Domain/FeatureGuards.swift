// A misspelt feature name in the package's manifest is silently ignored; here it breaks the build instead.
#if !hasFeature(ExistentialAny)
#error("ExistentialAny is off: Package.swift must enable it for every target")
#endif
#if !hasFeature(InternalImportsByDefault)
#error("InternalImportsByDefault is off: Package.swift must enable it for every target")
#endif
#if !hasFeature(MemberImportVisibility)
#error("MemberImportVisibility is off: Package.swift must enable it for every target")
#endif
#if !hasFeature(NonisolatedNonsendingByDefault)
#error("NonisolatedNonsendingByDefault is off: Package.swift must enable it for every target")
#endif
